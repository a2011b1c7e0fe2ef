// Starts Swagger UI on /docs; a file of its own, so that the page needs no inline script.
// The address is relative, as the server may be mounted below a path.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
