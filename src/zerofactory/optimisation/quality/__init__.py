"""Learned inspection (AI 视觉检测): what a good part looks like, learned from images, and what a rejected one costs in carbon."""
