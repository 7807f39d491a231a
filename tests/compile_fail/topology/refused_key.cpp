// expect: the exchange's policy refuses the binding's key
#include <leveret/topology/topology.hpp>

namespace lv = leveret;

struct hash {
    static constexpr std::string_view name = "x-consistent-hash";
    static constexpr std::string_view key_error(std::string_view key)
    {
        return key.find_first_not_of("0123456789") == std::string_view::npos ? "" : "a weight is a number";
    }
};
using shards = lv::exchange<"shards", hash>;

static_assert(lv::topology<shards, lv::queue<"q">, lv::bound<"q", shards, "ten">>::is_checked);
