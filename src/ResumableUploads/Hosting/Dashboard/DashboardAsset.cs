using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace ResumableUploads.Hosting.Dashboard;

/// <summary>A script or style sheet that is embedded in the assembly.</summary>
internal sealed class DashboardAsset
{
    private readonly string _contentType;
    private readonly byte[] _content;

    private DashboardAsset(string name, string contentType)
    {
        _contentType = contentType;
        using Stream stream = typeof(DashboardAsset).Assembly.GetManifestResourceStream($"ResumableUploads.Dashboard.{name}")
            ?? throw new InvalidOperationException($"The assembly has no resource {name}.");
        _content = new byte[stream.Length];
        stream.ReadExactly(_content);
    }

    public static DashboardAsset Script { get; } = new("dashboard.js", "text/javascript; charset=utf-8");

    public static DashboardAsset StyleSheet { get; } = new("dashboard.css", "text/css; charset=utf-8");

    /// <summary>Gets a text that changes with the content of the assets, so that browsers can cache them.</summary>
    public static string Version { get; } = Convert.ToHexStringLower(SHA256.HashData([.. Script._content, .. StyleSheet._content]))[..16];

    /// <summary>Writes the asset as a response.</summary>
    public Task WriteAsync(HttpContext context)
    {
        DashboardHeaders.Set(context.Response);
        context.Response.ContentType = _contentType;
        context.Response.ContentLength = _content.Length;
        context.Response.Headers.CacheControl = "private, max-age=86400";
        return context.Response.Body.WriteAsync(_content, context.RequestAborted).AsTask();
    }
}
