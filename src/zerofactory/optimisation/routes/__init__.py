"""Process routes (工艺路线): what one body part takes by each way of making it, as data, and how the ways compare."""
