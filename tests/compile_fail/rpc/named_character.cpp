// expect: an argument is text or a value that JSON can be made of
#include <leveret/memory.hpp>
#include <leveret/rpc/client.hpp>

void use(leveret::rpc::client<leveret::memory::channel>& c)
{
    static_cast<void>(c.cast("add", leveret::rpc::arg("c", 'x')));
}
