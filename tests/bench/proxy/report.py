"""The tables people read. The JSON beside them has the same figures and every round."""

# Column "rounds": those that had the processors to themselves, of all that were run.
RELATIVE_TO = ("floor", "nginx", "haproxy")


def add_ratios(results):
    for result in results.values():
        result["ratio"] = {other: result["cpu_us_per_request"] /
                                  results[other]["cpu_us_per_request"]
                           for other in RELATIVE_TO if other in results}


def table_rows(results):
    header = ["proxy", "requests/s", "us CPU/request", "(median)"]
    header += [f"/ {other}" for other in RELATIVE_TO] + ["CPU busy", "rounds"]
    rows = [header]
    for name, result in results.items():
        row = [name, f"{result['requests_per_second']:,.0f}",
               f"{result['cpu_us_per_request']:.2f}",
               f"{result['cpu_us_per_request_median']:.2f}"]
        row += [f"{result['ratio'][other]:.2f}" if other in result["ratio"] else "-"
                for other in RELATIVE_TO]
        row += [f"{result['cpu_share']:.0%}", f"{result['rounds_fed']}/{len(result['rounds'])}"]
        rows.append(row)
    return rows


def table_lines(case, rows, results):
    """The first row is the header, the first column names."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["", case]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  " + "  ".join(cells))
    starved = [name for name, result in results.items() if not result["rounds_fed"]]
    if starved:
        lines.append(f"  NOT TO BE RELIED ON: something else kept the processors busy in every "
                     f"round of {', '.join(starved)}")
    return lines
