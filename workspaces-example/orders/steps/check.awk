# Sets rows aside that nobody can bill: a quantity that is no whole number above 0, or a customer nobody knows.
# usage: awk -f steps/check.awk data/customers.csv out/orders.csv    good rows on stdout, bad ones to out/rejected.csv
BEGIN { FS = OFS = ","; bad = "out/rejected.csv"; printf "" > bad }
FNR == 1 { n_file++; if (n_file == 2) print; next }
n_file == 1 { known[$1] = 1; next }
$5 !~ /^[1-9][0-9]*$/ { reject("quantity '" $5 "'"); next }
!($3 in known) { reject("unknown customer " $3); next }
{ print }
function reject(why) {
    print $0, why > bad
    print "warning: order " $1 " set aside: " why | "cat 1>&2"
}
