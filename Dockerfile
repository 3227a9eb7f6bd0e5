# One image for every process of docker-compose.yml. The embedded servers' wheels come along and stay unused.
FROM node:22-slim AS assets
WORKDIR /carillon
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM python:3.12-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /carillon
COPY requirements/base.txt requirements/base.txt
RUN pip install --no-cache-dir --require-hashes -r requirements/base.txt
COPY --from=assets /carillon/node_modules node_modules
COPY . .
RUN useradd --system carillon && mkdir /data && chown carillon /data
USER carillon
