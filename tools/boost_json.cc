// Boost.JSON as source, so that no package beyond Boost's headers is needed. Once for all programs.
#include <boost/json/src.hpp>
