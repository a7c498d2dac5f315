# Trims blanks, writes currencies in capitals and drops orders that were delivered twice.
BEGIN { FS = OFS = "," }
{
    for (i = 1; i <= NF; i++) gsub(/^ +| +$/, "", $i)
    if (NR > 1) $7 = toupper($7)
}
seen[$1]++ { n_twice++; next }
{ print }
END { print "clean: " NR - 1 - n_twice " orders, " n_twice + 0 " delivered twice" | "cat 1>&2" }
