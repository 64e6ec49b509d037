"""运行: one function a use case, one file a verb. The CLI, the interface and the pages call these and nothing below."""
