// expect: of a call's arguments all have names, or none has
#include <leveret/memory.hpp>
#include <leveret/rpc/client.hpp>

void use(leveret::rpc::client<leveret::memory::channel>& c)
{
    static_cast<void>(c.cast("add", 1, leveret::rpc::arg("b", 2)));
}
