# The reading room on its own: docker build -t cxr . && docker run -p 7860:7860 cxr
FROM python:3.12-slim

RUN useradd --create-home --uid 1000 reader
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
# What .dockerignore lets through: app.py, cxr, weights, synthetic examples
COPY . .
# Stops here when examples/ or weights/ hold anything but synthetic films and checkpoints
RUN python -c "import pathlib, cxr.cli.space; cxr.cli.space.refuse_others(pathlib.Path())"

USER reader
ENV GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    GRADIO_ANALYTICS_ENABLED=False \
    PYTHONUNBUFFERED=1
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen('http://127.0.0.1:' + os.environ['GRADIO_SERVER_PORT'], timeout=4)"]
CMD ["python", "app.py"]
