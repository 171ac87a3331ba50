using Microsoft.AspNetCore.Mvc.Filters;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Options;

namespace ResumableUploads;

/// <summary>
/// Makes an action, a controller, a Razor page or a minimal API handler accept resumable uploads. The handler sees one request with the complete
/// body, however often the connection was interrupted. Requires <c>AddResumableUploads()</c>.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class ResumableUploadAttribute : Attribute, IResumableEndpointMetadata, IFilterFactory
{
    /// <summary>
    /// Gets or sets the maximum size of an upload, in bytes, or 0 for <see cref="ResumableUploadOptions.MaxUploadSize"/>. Larger uploads are rejected
    /// with 413.
    /// </summary>
    /// <remarks>Defaults to 0.</remarks>
    public long MaxUploadSize { get; set; }

    /// <summary>
    /// Gets or sets the name of the options, as passed to <c>AddResumableUploads(name)</c>, or <see langword="null"/> for the default options.
    /// </summary>
    /// <remarks>Defaults to <see langword="null"/>. An unknown name fails at start.</remarks>
    public string? OptionsName { get; set; }

    string IResumableEndpointMetadata.OptionsName => OptionsName ?? RegisteredOptions.DefaultName;

    long? IResumableEndpointMetadata.MaxUploadSize => MaxUploadSize > 0 ? MaxUploadSize : null;

    Action<ResumableUploadOptions>? IResumableEndpointMetadata.ConfigureOptions => null;

    bool IFilterFactory.IsReusable => true;

    /// <summary>
    /// Creates a filter that does nothing. MVC creates filters when the action runs, which is the first opportunity to report that
    /// <c>AddResumableUploads()</c> was not called.
    /// </summary>
    IFilterMetadata IFilterFactory.CreateInstance(IServiceProvider serviceProvider)
    {
        ResumableEndpointMetadata.ThrowIfServicesMissing(serviceProvider);
        return EmptyFilter.Instance;
    }

    private sealed class EmptyFilter : IFilterMetadata
    {
        public static readonly EmptyFilter Instance = new();
    }
}
