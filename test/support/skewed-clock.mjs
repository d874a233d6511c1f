// Imported before all else: a machine whose clock is wrong from the beginning.
const { skew = 0 } = JSON.parse(process.argv[2]);
if (skew !== 0) {
  const { now } = Date;
  Date.now = () => now() + skew;
}
