# Joins orders with customers and rates, and prices each in euro. Only the orders begin with a line of headings.
# usage: awk -f steps/join.awk out/customers.csv out/rates.csv out/clean.csv
BEGIN { FS = OFS = "," }
FNR == 1 { n_file++; if (n_file == 3) next }
n_file == 1 { name[$1] = $2; country[$1] = $3; next }
n_file == 2 { euro[$1] = $2; next }
!($7 in euro) { print "no rate for " $7 " (order " $1 "). Add it to data/rates.csv." | "cat 1>&2"; failed = 1; next }
{ print $1, $2, name[$3], country[$3], $4, $5, sprintf("%.2f", $5 * $6 * euro[$7]) }
END { exit failed }
