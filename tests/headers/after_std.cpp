// The headers behind those of the standard library whose functions take any std::string that they are called with:
// std::quoted once took the place of one of ours.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iomanip>
#include <numeric>
#include <optional>
#include <ranges>
#include <regex>
#include <thread>
#include <type_traits>

#include <leveret.hpp>
#include <leveret/connect.hpp>
#include <leveret/dispatch.hpp>
#include <leveret/memory.hpp>
#include <leveret/server.hpp>
#include <leveret/tls.hpp>
#include <leveret/topology.hpp>

// Asio asks of what an executor may be made from whether it has a connect(), and finds ours: an answer must be possible.
static_assert(std::is_move_constructible_v<std::optional<leveret::broker::server>>);
static_assert(std::is_move_constructible_v<std::optional<leveret::memory::broker>>);
static_assert(std::is_move_constructible_v<std::optional<leveret::any_connection>>);
