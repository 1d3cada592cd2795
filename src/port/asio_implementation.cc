// The one compiled copy of Asio's separately compiled parts (BOOST_ASIO_SEPARATE_COMPILATION): every other
// file sees only declarations, which saves seconds of compile time in each.
#include <boost/asio/impl/src.hpp>
