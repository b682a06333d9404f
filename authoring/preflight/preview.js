// An e-mail is shown whole: its frame is as high as what is in it.
for (const frame of document.querySelectorAll("iframe")) {
  const fit = () => {
    frame.style.height = 0;
    frame.style.height = `${frame.contentDocument.documentElement.scrollHeight + 2}px`;
  };
  frame.addEventListener("load", fit);
  if (frame.contentDocument?.readyState === "complete") fit();
}
for (const message of document.querySelectorAll("details")) {
  message.addEventListener("toggle", () => {
    for (const frame of message.querySelectorAll("iframe")) frame.dispatchEvent(new Event("load"));
  });
}
