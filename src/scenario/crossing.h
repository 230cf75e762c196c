// Which combinations of levels a design visits: all of them, a covering array, or a random draw. Numbers only: a row
// has one level (from 0) per factor. Deterministic: the same arguments give the same rows, in the same order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace assay {

using LevelRow = std::vector<int>;

// How many combinations there are; `limit` + 1 where there are more than `limit`. Without factors there is one.
int64_t combinations(std::span<const int> levels, int64_t limit);

// Every combination, the last factor varying fastest. combinations() must be known to be small.
std::vector<LevelRow> full_crossing(std::span<const int> levels);

// A covering array of strength two: any two levels of any two factors stand together in some row. Greedy, in the manner
// of AETG (Cohen, Dalal, Fredman & Patton 1997, "The AETG system", IEEE Trans. Software Eng. 23:437-444): a row begins
// with a pair that is not covered yet, every other factor gets the level that covers most new pairs, and the best of
// some such rows is kept. The first row is all zeros, so the base cell is always there. The size grows with the square
// of the largest factor and the logarithm of the number of factors.
std::vector<LevelRow> pairwise_crossing(std::span<const int> levels);

// `n` different combinations drawn at random without replacement, or all of them where there are no more. In the order
// of full_crossing, so that neighbours share what stands first in a prompt.
std::vector<LevelRow> random_crossing(std::span<const int> levels, int64_t n, uint64_t seed);

}  // namespace assay
