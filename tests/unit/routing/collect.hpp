// A router with its bindings, and what it reaches, as sorted numbers.
#pragma once

#include "leveret/routing/policy.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace leveret::test {

/// Binds numbers instead of queues.
template <routing::policy P>
class bound_numbers {
public:
    struct entry : routing::binding {
        entry(int n, std::string_view k, table t)
            : binding(reinterpret_cast<void*>(static_cast<std::uintptr_t>(n))), number(n), key(k),
              arguments(std::move(t))
        {
        }
        int number;
        std::string key;
        table arguments;
    };

    void add(int number, std::string_view key, table arguments = {})
    {
        entries.push_back(std::make_unique<entry>(number, key, std::move(arguments)));
        entry& e = *entries.back();
        router.add(e.key, e.arguments, e);
    }
    void remove(int number)
    {
        const auto at = std::find_if(entries.begin(), entries.end(),
                                     [number](const auto& e) { return e->number == number; });
        router.remove((*at)->key, (*at)->arguments, **at);
        entries.erase(at);
    }
    [[nodiscard]] std::vector<int> reached(std::string_view key, const table& headers = {})
    {
        std::vector<int> numbers;
        router.route(key, headers, [&numbers](void* target) {
            numbers.push_back(static_cast<int>(reinterpret_cast<std::uintptr_t>(target)));
        });
        std::sort(numbers.begin(), numbers.end());
        return numbers;
    }

    typename P::router router;
    std::vector<std::unique_ptr<entry>> entries;
};

using numbers = std::vector<int>;

} // namespace leveret::test
