//! Interface ioctls.
