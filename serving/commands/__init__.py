"""The commands beside `run`: export, erase, experiments, offers, replays."""
