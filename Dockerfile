# The action's image. GitHub runs it as root, in /github/workspace, which belongs to another user.
# The digest says what is built on; the tag, what Dependabot looks for the next one of.
FROM python:3.13.14-slim-bookworm@sha256:67a1e1f215ccda113cfc024e8639049257e88f273898f595b61476d128d387e8 AS base

FROM base AS build
ENV UV_SYSTEM_CERTS=1
WORKDIR /build
COPY requirements/uv.txt requirements/image.txt requirements/
RUN python -m venv --without-pip /opt/metricgate \
 && python -m venv /build/tools \
 && /build/tools/bin/pip install --no-cache-dir --require-hashes -r requirements/uv.txt
# Build constraints: the only source distribution (antlr4) is also built with the locked, hashed setuptools.
RUN /build/tools/bin/uv pip install --no-cache --python /opt/metricgate/bin/python --require-hashes \
      --build-constraints requirements/image.txt -r requirements/image.txt
# A quarter of the compressed size is never used at run time: the libraries' own tests, AWS services other than storage,
# files that only a compiler or a type checker reads, and debug symbols. Do not strip *.libs: their layout was rewritten
# for the wheel, and they would no longer load.
# hadolint ignore=DL3008,DL3009
RUN apt-get update && apt-get install --yes --no-install-recommends binutils
WORKDIR /opt/metricgate/lib/python3.13/site-packages
RUN find . -type d \( -name tests -o -name test \) -prune -exec rm -r {} + \
 && find botocore/data -mindepth 1 -maxdepth 1 -type d ! -name s3 ! -name sts ! -name 'sso*' ! -name signin -exec rm -r {} + \
 && find . -type f -regex '.*\.\(pyi\|pyx\|pxd\|c\|cpp\|h\|hpp\|a\)' -delete \
 && find . -name '*.so' -type f ! -path '*.libs/*' -exec strip --strip-unneeded {} +
WORKDIR /build
COPY pyproject.toml README.md LICENSE requirements/dev.txt ./
COPY src src
COPY examples examples
RUN /build/tools/bin/uv pip install --no-cache --python /opt/metricgate/bin/python --no-deps \
      --build-constraints dev.txt .

FROM base
# Debian's stable release fixes Git's version; a pinned package would vanish from its mirrors with the next security update.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends git \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/apt /var/log/dpkg.log
COPY --from=build /opt/metricgate /opt/metricgate
ENV PATH=/opt/metricgate/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
    MPLCONFIGDIR=/opt/metricgate/share/matplotlib \
    DVC_NO_ANALYTICS=1
# Git and libgit2 (DVC) both read /etc/gitconfig, and refuse another user's workspace; libgit2 ignores GIT_CONFIG_*.
# Everything in this container is the workspace or comes from it, so naming single directories would protect nothing.
RUN git config --system --add safe.directory '*'
# One real run leaves the bytecode of what it imports, and Matplotlib's font cache: imports are three times faster.
RUN metricgate demo /tmp/demo >/tmp/demo.log 2>&1 || { cat /tmp/demo.log; exit 1; } \
 && rm -rf /tmp/demo /tmp/demo.log /var/tmp/dvc ~/.cache ~/.config
# The post step completes a check that a killed process left open; the runner gives it a path and no arguments.
RUN printf '#!/opt/metricgate/bin/python -I\nfrom metricgate.cli.post_step import main\n\nmain()\n' >/opt/metricgate/bin/metricgate-post \
 && chmod 755 /opt/metricgate/bin/metricgate-post
# A pod may run as a user that /etc/passwd does not have; DVC asks for its name.
ENV LOGNAME=metricgate
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="MetricGate" \
      org.opencontainers.image.description="A merge gate for models" \
      org.opencontainers.image.source="https://github.com/metricgate/metricgate" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# -I: the working directory is the pull request's. Python must not import from it, nor from the workflow's PYTHONPATH.
# Exec form, without a shell: Debian's sh drops the variables of inputs with a hyphen, and signals must reach Python.
ENTRYPOINT ["/opt/metricgate/bin/python", "-I", "-u", "-m", "metricgate", "action"]
