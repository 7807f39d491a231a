#pragma once

#include "leveret/core/duration.hpp"
#include "leveret/core/message.hpp"
#include "leveret/rpc/request.hpp"

#include <string>

namespace leveret::rpc::detail {

/// What a server sends for a request. Used again for the next, whose answer may need its memory.
struct answer {
    answer() = default; // no aggregate: g++ 12 destroys temporaries of those twice
    void address_to(const request& r)
    {
        to = r.parts().reply_to;
        deadline = r.deadline();
        is_wanted = true;
    }

    std::string to;
    message what;
    instant deadline = instant::never(); // of its caller
    bool is_wanted = false;
};

} // namespace leveret::rpc::detail
