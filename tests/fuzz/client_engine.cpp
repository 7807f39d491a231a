// Arbitrary bytes as what a server sends to engine::client: from the first byte on, or to a connection that
// is open and busy. See client_session.hpp for what must hold; and no split of the bytes may change what the
// client says.
#include "fuzz/client_session.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

extern "C" void __sanitizer_malloc_hook(const volatile void*, std::size_t size)
{
    if (size > leveret::fuzz::largest_allocation)
        leveret::fuzz::largest_allocation = size;
}

namespace {

using namespace leveret;
using fuzz::session;

/// What the first octets of the input say.
struct plan {
    bool is_raw;      // from the first byte on, else after a handshake
    bool is_framed;   // the rest are records that are made frames of, else bytes
    bool is_compared; // the same in one piece and byte by byte, else in any pieces
    std::uint32_t seed; // of the pieces and of what the user does between them; 0: nothing
};
constexpr std::size_t plan_size = 4;

/// Records of a control octet, a length and that many bytes, each in a frame that is right as a frame.
std::string framed(std::string_view records)
{
    constexpr auto ids = [] {
        std::array<wire::method_number, wire::all_methods::size> out{};
        std::size_t i = 0;
        wire::all_methods::for_each([&]<class Method>() { out[i++] = Method::id; });
        return out;
    }();
    std::string stream;
    while (records.size() >= 3) {
        const auto control = static_cast<unsigned char>(records[0]);
        const auto which = static_cast<unsigned char>(records[2]);
        std::size_t size = static_cast<unsigned char>(records[1]);
        records.remove_prefix(3);
        size = size < records.size() ? size : records.size();
        std::string payload(records.substr(0, size));
        records.remove_prefix(size);
        const unsigned type = control & 3U;
        const auto number = static_cast<std::uint16_t>((control >> 2U) & 3U);
        if (type == 1) {
            const wire::method_number id = ids[which % ids.size()];
            char head[4];
            wire::store_be(head, id.value());
            payload.insert(0, head, sizeof head);
        } else if (type == 2 && payload.size() < 250) { // class, weight and size that can be right
            const std::string head{0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, static_cast<char>(which)};
            payload.insert(0, head);
        } else if (type == 3) {
            payload.resize(payload.size() + (control >> 4U) * 100U, 'x');
        }
        stream += test::raw_frame(type == 0 ? 8 : type, number, payload);
    }
    return stream;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < plan_size)
        return 0;
    const plan p{(data[0] & 1U) != 0, (data[0] & 2U) != 0, (data[0] & 4U) != 0,
                 static_cast<std::uint32_t>(data[1] | data[2] << 8 | data[3] << 16)};
    const std::string_view rest(reinterpret_cast<const char*>(data) + plan_size, size - plan_size);
    const std::string stream = p.is_framed ? framed(rest) : std::string(rest);
    if (p.is_compared) {
        session whole({!p.is_raw, true, p.seed}, stream.size());
        whole.feed(stream);
        session bytes({!p.is_raw, true, p.seed}, stream.size());
        for (const char& c : stream)
            bytes.feed({&c, 1});
        if (whole.trace() != bytes.trace())
            std::fprintf(stderr, "whole:\n%s\nbyte by byte:\n%s\n", whole.trace().c_str(),
                         bytes.trace().c_str());
        fuzz::require(whole.trace() == bytes.trace(), "no split changes what is said");
        return 0;
    }
    session s({!p.is_raw, false, p.seed}, stream.size());
    fuzz::random_numbers random(p.seed + 1);
    for (std::string_view input = stream; !input.empty();) {
        const std::size_t n = 1 + random.below(random.below(3) == 0 ? input.size() : 40);
        s.feed(input.substr(0, n));
        input.remove_prefix(n < input.size() ? n : input.size());
        if (p.seed != 0)
            s.act();
    }
    return 0;
}
