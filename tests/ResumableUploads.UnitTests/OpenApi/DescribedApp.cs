using System.Globalization;
using Microsoft.OpenApi;
using Microsoft.OpenApi.Reader;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.OpenApi;

/// <summary>An app with resumable endpoints, ready-made endpoints and others, and the documents that it generates.</summary>
internal static class DescribedApp
{
    /// <summary>The name of the document that describes uploads.</summary>
    public const string With = "with";

    /// <summary>The name of the document that does not.</summary>
    public const string Without = "without";

    public static Task<TestApp> StartAsync() => EndpointApp.StartAsync(
        static app =>
        {
            app.UseResumableUploads(static options => options.OnCompleted = static (upload, _) =>
            {
                upload.Response = UploadResponse.Text("done");
                return Task.CompletedTask;
            });
            app.MapOpenApi();
            app.MapResumableUploads("/videos/{album:int}");
            app.MapPost("/import", static async (Stream body) =>
            {
                await body.CopyToAsync(Stream.Null);
                return "done";
            }).WithResumableUploads();
            app.MapGet("/import", static () => "page");
            app.MapPut("/albums/{album:int}", static (int album, Stream body) => $"{album}").WithResumableUploads();
            app.MapPost("/plain", static (Stream body) => "plain");
        },
        services: static builder =>
        {
            builder.Services.AddOpenApi(With, static options => options.AddResumableUploads());
            builder.Services.AddOpenApi(Without);
        },
        onTestHost: true);

    /// <summary>Reads a document with the reader of Microsoft.OpenApi. Fails if it is not valid.</summary>
    public static async Task<OpenApiDocument> ReadDocumentAsync(TestApp app, string name)
    {
        ReadResult result = OpenApiDocument.Parse(await app.Client.GetStringAsync($"/openapi/{name}.json"), "json");
        Assert.Empty(result.Diagnostic!.Errors);
        Assert.Empty(result.Diagnostic.Warnings);
        return result.Document!;
    }

    /// <summary>Returns an operation, or <see langword="null"/> if the document does not have it.</summary>
    public static OpenApiOperation? Find(this OpenApiDocument document, string path, string method) =>
        document.Paths.TryGetValue(path, out IOpenApiPathItem? item) ? item.Operations?.GetValueOrDefault(HttpMethod.Parse(method)) : null;

    public static string[] GetMethods(this OpenApiDocument document, string path) =>
        [.. document.Paths[path].Operations!.Keys.Select(static method => method.Method).Order(StringComparer.Ordinal)];

    /// <summary>Returns the names of request headers.</summary>
    public static HashSet<string> GetRequestHeaders(this OpenApiOperation operation) =>
        [.. (operation.Parameters ?? []).Where(static parameter => parameter.In == ParameterLocation.Header).Select(static parameter => parameter.Name!)];

    /// <summary>Returns the names of the headers of a response, or <see langword="null"/> if the status is not described.</summary>
    public static IEnumerable<string>? GetResponseHeaders(this OpenApiOperation operation, int status) =>
        operation.Responses!.TryGetValue(status.ToString(CultureInfo.InvariantCulture), out IOpenApiResponse? response) ? response.Headers?.Keys ?? [] : null;
}
