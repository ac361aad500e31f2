
// Folium's popups ask jQuery for one thing only: an element made from a piece of HTML.
window.$ = window.$ || function (html) {
  var made = document.createElement("template");
  made.innerHTML = html.trim();
  return Array.prototype.slice.call(made.content.children);
};
