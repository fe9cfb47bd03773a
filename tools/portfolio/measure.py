#!/usr/bin/env python3
"""Measures the cost of portfolios of several sizes, scraped as Prometheus does, and prints a table.

Each size runs a separate demo process with the exporter and the simulated API that it calls over HTTP. CPU time and
memory include both. The steady state begins with the scrape after the first complete one.

    cargo build --profile dist
    tools/portfolio/measure.py target/dist/edgeimpulse-exporter --minutes 20 10 100 1000 2000
"""

import argparse
import os
import re
import subprocess
import threading
import time
import urllib.request

SCRAPE_INTERVAL = 60
SCRAPE_TIMEOUT = 30


def scrape(address):
    request = urllib.request.Request(
        f"http://{address}/metrics", headers={"X-Prometheus-Scrape-Timeout-Seconds": str(SCRAPE_TIMEOUT)}
    )
    began = time.monotonic()
    with urllib.request.urlopen(request, timeout=2 * SCRAPE_TIMEOUT) as response:
        text = response.read().decode()
    return time.monotonic() - began, text


def values(text, name, labels=""):
    # Greedy, because paths of endpoints contain braces.
    pattern = re.compile(rf"^{name}{{.*{labels}.*}} (\S+)$", re.MULTILINE)
    return [float(value) for value in pattern.findall(text)]


def process(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        peak = int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), peak


def measure(program, size, port, minutes, rows):
    address = f"127.0.0.1:{port}"
    command = [program, "demo", f"--organizations={size}", f"--web.listen-address={address}", "--log.level=error"]
    demo = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    time.sleep(2)
    walls, requests, cpus, oldest, failed = [], [], [], 0.0, 0
    complete = None
    began = time.monotonic()
    try:
        for number in range(minutes):
            time.sleep(max(0.0, began + number * SCRAPE_INTERVAL - time.monotonic()))
            wall, text = scrape(address)
            walls.append(wall)
            requests.append(sum(values(text, "edgeimpulse_exporter_api_requests_total")))
            cpus.append(process(demo.pid)[0])
            success = values(text, "edgeimpulse_scrape_collector_success")
            supported = values(text, "edgeimpulse_scrape_collector_supported")
            missing = sum(1 for ok, can in zip(success, supported) if can and not ok)
            if missing == 0 and complete is None:
                complete = number + 1
            if complete is not None:
                failed = max(failed, missing)
                of_one = 'collector="whitelabel_organization"'
                at = values(text, "edgeimpulse_scrape_collector_last_success_timestamp_seconds", of_one)
                oldest = max([oldest] + [time.time() - moment for moment in at])
        _, peak = process(demo.pid)
    finally:
        demo.terminate()
        demo.wait()
    steady = slice((complete or 1), None)
    per_minute = [after - before for before, after in zip(requests, requests[1:])][steady]
    cpu = [after - before for before, after in zip(cpus, cpus[1:])][steady]
    rows[size] = (
        f"| {size:,} | {walls[0]:.2f} s | {complete} | {sorted(walls[steady])[len(walls[steady]) // 2]:.2f} s"
        f" | {max(walls[steady]):.2f} s | {requests[0]:.0f}, then {max(per_minute):.0f} at most"
        f" | {1000 * sum(cpu) / len(cpu) / size:.2f} ms | {oldest / 60:.1f} min | {failed} | {peak:.0f} MiB |"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("sizes", nargs="+", type=int)
    parser.add_argument("--minutes", type=int, default=20)
    parser.add_argument("--port", type=int, default=18101)
    options = parser.parse_args()
    rows = {}
    threads = [
        threading.Thread(
            target=measure, args=(options.program, size, options.port + index, options.minutes, rows)
        )
        for index, size in enumerate(options.sizes)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(
        "| organizations | first scrape | complete with scrape | median scrape | longest scrape | requests a minute"
        " | CPU per organization and minute | oldest response | failed | peak memory |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for size in options.sizes:
        print(rows[size])


if __name__ == "__main__":
    main()
