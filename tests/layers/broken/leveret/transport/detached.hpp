// expect: detaches a coroutine
#pragma once
namespace asio { struct detached_t; extern detached_t detached; }
inline auto* leveret_detached = &asio::detached;
