"""The typed configuration, one small file per section."""

from skyquilt.config.load import get_analysis, load_config, merge_settings, parse_config
from skyquilt.config.run import Config

__all__ = ["Config", "get_analysis", "load_config", "merge_settings", "parse_config"]
