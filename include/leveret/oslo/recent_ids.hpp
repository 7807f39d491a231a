#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

namespace leveret::oslo {

/// The last unique ids, by which oslo.messaging knows messages again that come twice. An empty one is none.
class recent_ids {
public:
    static constexpr std::size_t kept = 16; ///< as oslo.messaging has it

    [[nodiscard]] bool contains(const std::string& id) const
    {
        return !id.empty() && std::find(ids_.begin(), ids_.end(), id) != ids_.end();
    }
    void add(const std::string& id)
    {
        if (!id.empty())
            ids_[next_++ % kept] = id;
    }

private:
    std::array<std::string, kept> ids_;
    std::size_t next_ = 0;
};

} // namespace leveret::oslo
