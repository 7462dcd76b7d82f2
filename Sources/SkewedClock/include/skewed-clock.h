#ifndef MUSTER_SKEWED_CLOCK_H
#define MUSTER_SKEWED_CLOCK_H

/// The environment's name for the seed that says how the clocks of this process go wrong; without it they are right.
#define MUSTER_SKEW_SEED "MUSTER_SKEW_SEED"

#endif
