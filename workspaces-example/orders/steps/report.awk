# Adds up one column of the priced orders and prints a table, largest first.
# usage: awk -v by=4 -v title='By country' -f steps/report.awk out/priced.csv
BEGIN { FS = "," }
{ sum[$by] += $7; n[$by]++; total += $7 }
END {
    printf "%s\n", title
    order = "sort -k1,1nr"
    for (key in sum) printf "%12.2f EUR  %3d orders  %5.1f %%  %s\n", sum[key], n[key], 100 * sum[key] / total, key | order
    close(order)
    printf "%12.2f EUR  %3d orders in all\n\n", total, NR
}
