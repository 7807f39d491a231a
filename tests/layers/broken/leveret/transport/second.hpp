// expect: one header of io/ does
#pragma once
#include <asio/experimental/deferred.hpp>
