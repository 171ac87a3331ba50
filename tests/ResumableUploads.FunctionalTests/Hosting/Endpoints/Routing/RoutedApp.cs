using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Routing;

/// <summary>An app with routes of every kind, started with and without resumable endpoints.</summary>
internal static class RoutedApp
{
    /// <param name="isResumable">False: nothing of the package is in the app.</param>
    /// <param name="onTestHost">TestHost instead of Kestrel.</param>
    /// <param name="choosesPlace">Whether the app says where the chunks are taken.</param>
    public static Task<TestApp> StartAsync(bool isResumable, bool onTestHost = true, bool choosesPlace = false) => TestApp.StartAsync(
        services: builder =>
        {
            builder.Services.AddCors(static cors => cors.AddDefaultPolicy(static policy => policy.WithOrigins("https://other.example").WithMethods("POST")));
            builder.Services.AddControllers().OnlyControllers(typeof(RoutedController), typeof(PlainController));
            if (isResumable)
            {
                builder.Services.AddResumableUploads(options =>
                {
                    options.Directory = builder.Environment.ContentRootPath;
                    options.FileSystem.Durability = Durability.ProcessCrash;
                });
            }
        },
        after: app =>
        {
            app.UseRouting();
            app.UseCors();
            if (choosesPlace && isResumable)
            {
                app.UseResumableUploadEndpoints();
            }

            Map(app, isResumable);
        },
        onTestHost: onTestHost,
        useUploads: false);

    private static void Map(IEndpointRouteBuilder app, bool isResumable)
    {
        T With<T>(T endpoint) where T : IEndpointConventionBuilder => isResumable ? endpoint.WithResumableUploads() : endpoint;

        With(app.MapPost("/post", Seen));
        With(app.MapPut("/put", Seen));
        With(app.MapMethods("/both", ["POST", "PUT"], Seen));
        With(app.Map("/any", Seen));
        With(app.MapPost("/json", static ([FromBody] Body body) => $"json {body.Name}"));
        With(app.MapPost("/form", static (IFormFile file) => $"form {file.Length}").DisableAntiforgery());
        With(app.MapPost("/typed", Seen).Accepts<string>("text/plain", "image/*"));

        // Other endpoints of the app at the same URL.
        With(app.MapPost("/videos", static () => "made"));
        app.MapGet("/videos", static () => "list");
        app.MapDelete("/videos", static () => "gone");
        With(app.MapPost("/videos/{id}", static (string id) => $"post {id}"));
        app.MapGet("/videos/{id:int}", static (int id) => $"get {id}");
        app.MapPost("/videos/special", static () => "special");
        app.MapPatch("/videos/special", static () => "patched");
        With(app.MapPost("/two", static () => "two by post"));
        With(app.MapPut("/two", static () => "two by put"));
        app.MapPost("/split", static () => "not resumable");
        With(app.MapPut("/split", static () => "resumable"));

        // Catch-all, host, constraint, order, group, fallback.
        With(app.MapPost("/files/{**path}", static (string? path) => $"file {path}"));
        app.MapGet("/files/{**path}", static (string? path) => $"read {path}");
        With(app.MapPost("/hosted", static () => "here").RequireHost("here.example"));
        app.MapPost("/hosted", static () => "there").RequireHost("there.example");
        With(app.MapPost("/constrained/{id:int:min(5)}", static (int id) => id));
        With(app.MapPost("/ordered/{x}", static (string x) => $"first {x}").WithOrder(-1));
        app.MapPost("/ordered/literal", static () => "literal");
        RouteGroupBuilder album = With(app.MapGroup("/albums/{id}"));
        album.MapPost("/photos", static (string id) => $"photo of {id}");
        album.MapGet("/photos", static (string id) => $"photos of {id}");
        album.MapDelete("/photos/{photo}", static (string id, string photo) => $"{photo} of {id} gone");
        RouteGroupBuilder mixed = app.MapGroup("/mixed");
        With(mixed.MapPost("/a", static () => "a"));
        mixed.MapPost("/b", static () => "b");
        mixed.MapGet("/a", static () => "read a");
        With(app.MapControllers());
        app.MapFallback("/fallback/{*rest}", static (string? rest) => $"fallback {rest}");
    }

    private static string Seen(HttpContext context) => $"{context.Request.Method} {context.Request.Path} {context.Request.ContentType} {context.GetRouteData().Values.Count}";

    internal sealed record Body(string Name);
}

[ApiController]
[Route("mvc/photos")]
public sealed class RoutedController : ControllerBase
{
    [HttpPost, Consumes("image/png", "image/jpeg")]
    public string Image() => $"image {Request.ContentLength}";

    [HttpPost, Consumes("application/json")]
    public string Json([FromBody] string[] names) => $"json {names.Length}";

    [HttpGet]
    public string List() => "photos";
}

[ApiController]
[Route("mvc/plain")]
public sealed class PlainController : ControllerBase
{
    [HttpPost]
    public string Post() => "plain";
}
