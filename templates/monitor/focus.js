// Keys go to the monitor without a click first: as soon as it listens to them.
const listening = new MutationObserver(() => {
  if (document.body.classList.contains("-loaded")) {
    listening.disconnect();
    document.querySelector(".xterm-helper-textarea").focus();
  }
});
listening.observe(document.body, { attributeFilter: ["class"] });
