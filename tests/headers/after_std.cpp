// The headers behind those of the standard library whose functions take any std::string that they are called with:
// std::quoted once took the place of one of ours.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iomanip>
#include <numeric>
#include <ranges>
#include <regex>
#include <thread>

#include <leveret.hpp>
#include <leveret/connect.hpp>
#include <leveret/dispatch.hpp>
#include <leveret/memory.hpp>
#include <leveret/server.hpp>
#include <leveret/tls.hpp>
#include <leveret/topology.hpp>
