// A key that is made when compiled does not compile if it could not be made.
// tells: throw_invalid_argument
#include <leveret/routing/key.hpp>

constexpr leveret::key wrong{"stock", "usd.eur", "nyse"};
