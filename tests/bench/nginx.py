"""nginx as a plain proxy: one worker, kept connections to the service, no log."""

from __future__ import annotations

import shutil
from pathlib import Path

MISSING = "nginx is missing and left out (Debian: apt-get install nginx-light)."

_CONFIG = """\
daemon off;
master_process off;
worker_rlimit_nofile 16384;
pid {directory}/nginx.pid;
error_log stderr error;
events {{ worker_connections 12000; }}
http {{
  access_log off;
  client_body_temp_path {directory}/nginx-body;
  proxy_temp_path {directory}/nginx-proxy;
  fastcgi_temp_path {directory}/nginx-fastcgi;
  uwsgi_temp_path {directory}/nginx-uwsgi;
  scgi_temp_path {directory}/nginx-scgi;
  client_max_body_size 0;
  keepalive_requests 1000000000;
  upstream service {{
    server 127.0.0.1:{upstream_port};
    keepalive 128;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    location / {{
      proxy_pass http://service;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
    }}
  }}
}}
"""


def command(directory: Path, *, port: int, upstream_port: int) -> tuple[str, ...] | None:
    """Write the configuration and return what runs it, in one process; None where there is no nginx."""
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        return None
    config = directory / "nginx.conf"
    config.write_text(
        _CONFIG.format(directory=directory, port=port, upstream_port=upstream_port), encoding="utf-8"
    )
    return (binary, "-p", str(directory), "-c", str(config), "-e", "stderr")
