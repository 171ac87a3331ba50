using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Equality;

/// <summary>An app with an endpoint for each way in which ASP.NET Core passes a body to a handler.</summary>
internal static class EchoApp
{
    /// <param name="server">What it runs on.</param>
    /// <param name="decompresses">Whether the app decompresses requests, behind the chunks.</param>
    public static Task<TestApp> StartAsync(Server server, bool decompresses = false) => server.StartAsync(
        app =>
        {
            if (decompresses)
            {
                app.UseResumableUploadEndpoints();
                app.UseRequestDecompression();
            }

            app.MapPost("/stream/{album}/{number:int}", static async (HttpContext context, string album, int number, Stream body) =>
                Echo.Of(context, $"{album} {number} {await DigestAsync(body)}")).WithResumableUploads();
            app.MapPost("/pipe", static async (HttpContext context, PipeReader body) =>
                Echo.Of(context, await DigestAsync(body))).WithResumableUploads();
            app.MapPut("/put", static async (HttpContext context) =>
                Echo.Of(context, await DigestAsync(context.Request.Body))).WithResumableUploads();
            app.MapPost("/json", static (HttpContext context, [FromBody] Order order) =>
                Echo.Of(context, $"{order.Name} {order.Lines.Length} {order.Lines.Sum()}")).WithResumableUploads();
            app.MapPost("/optional", static (HttpContext context, [FromBody] Order? order) =>
                Echo.Of(context, order is null ? "nothing" : order.Name)).WithResumableUploads();
            app.MapPost("/form", static async (HttpContext context, IFormFile file, IFormFileCollection files, [FromForm] string title, [FromForm] int[] tags) =>
                Echo.Of(context, $"{title} {string.Join(',', tags)} {files.Count} {file.FileName} {file.ContentType} {await DigestAsync(file.OpenReadStream())}"))
                .DisableAntiforgery().WithResumableUploads();
            app.MapPost("/fields", static (HttpContext context, [FromForm] string title, [FromForm] int[] tags) =>
                Echo.Of(context, $"{title} {string.Join(',', tags)}")).DisableAntiforgery().WithResumableUploads();
            app.MapControllers();
        },
        builder =>
        {
            builder.Services.AddControllers().OnlyControllers(typeof(EchoController));
            if (decompresses)
            {
                builder.Services.AddRequestDecompression();
            }
        },
        options =>
        {
            options.FileId.CompleteOnFullBody = false;
            options.Handler.StoredHeaders.Add("X-Custom");
        });

    public static async Task<string> DigestAsync(Stream stream)
    {
        await using (stream)
        {
            using var content = new MemoryStream();
            await stream.CopyToAsync(content);
            return Echo.Digest(content.ToArray());
        }
    }

    private static async Task<string> DigestAsync(PipeReader body)
    {
        while (true)
        {
            ReadResult result = await body.ReadAsync();
            if (result.IsCompleted)
            {
                string digest = Echo.Digest(result.Buffer.ToArray());
                body.AdvanceTo(result.Buffer.End);
                return digest;
            }

            body.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    internal sealed record Order(string Name, int[] Lines);
}
