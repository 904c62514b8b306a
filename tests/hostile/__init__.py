"""The hostile class: submissions that try to earn, read, break or leave something."""
