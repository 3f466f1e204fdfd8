# SPDX-License-Identifier: MIT OR Apache-2.0
#
# What flights ought to answer, by other means: one reading of the file, times
# as many as it was read. Run as LC_ALL=C awk -v passes=N -f answer.awk FILE.

function mean(sum, count,    m)
{
	m = int((200 * (sum < 0 ? -sum : sum) + count) / (2 * count))
	return sprintf("%s%d.%02d", sum < 0 && m > 0 ? "-" : "", int(m / 100), m % 100)
}

function whole(text, least, greatest)
{
	return text ~ /^-?[0-9]+$/ && text + 0 >= least && text + 0 <= greatest
}

function add(name, value)
{
	sum[name] += value
	if (!count || value < min[name])
		min[name] = value
	if (!count || value > max[name])
		max[name] = value
}

function extent(name, unit)
{
	printf "  %-8s  sum %.0f  least %.0f  greatest %.0f  mean %s %s\n", name,
		sum[name] * passes, min[name], max[name], mean(sum[name], count), unit
}

BEGIN { FS = "," }

{ sub(/\r$/, "") }

NR == 1 {
	sub(/^\357\273\277/, "")
	columns = NF
	for (i = 1; i <= NF; i++) {
		gsub(/^ +| +$/, "", $i)
		gsub(/^"|"$/, "", $i)
		at[$i] = i
	}
	next
}

length($0) <= 1024 && NF == columns && whole($at["delay"], -1440, 10080) &&
whole($at["distance"], 0, 12500) && whole($at["time"], 0, 1439) {
	hour = int($at["time"] / 60)
	add("delay", $at["delay"] + 0)
	add("distance", $at["distance"] + 0)
	flights[hour]++
	delay[hour] += $at["delay"]
	count++
}

END {
	printf "  flights   %.0f\n", count * passes
	if (!count)
		exit
	extent("delay", "min")
	extent("distance", "miles")
	for (hour = 0; hour < 24; hour++)
		if (flights[hour])
			printf "  hour %02d   flights %10.0f  mean delay %7s min\n", hour,
				flights[hour] * passes, mean(delay[hour], flights[hour])
}
