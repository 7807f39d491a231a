// expect: one header of io/ does
#pragma once
#include <asio/experimental/as_tuple.hpp>
