(() => {
  "use strict";
  const frame = document.createElement("iframe");
  frame.src = {{ address|safe }};
  frame.title = "Sign up for texts";
  frame.style.cssText = "width:100%;height:640px;border:0";
  const here = document.currentScript;
  here.parentNode.insertBefore(frame, here.nextSibling);
})();
