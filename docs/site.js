// What scrolls can be reached with the keyboard, and has a name.
document$.subscribe(() => {
  document.querySelectorAll(".md-typeset__scrollwrap").forEach((part, number) => {
    if (part.scrollWidth > part.clientWidth) {
      part.tabIndex = 0;
      part.setAttribute("role", "region");
      part.setAttribute("aria-label", `Table ${number + 1}`);
    }
  });
});
