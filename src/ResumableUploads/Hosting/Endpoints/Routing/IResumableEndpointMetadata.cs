using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Hosting.Options;

namespace ResumableUploads;

/// <summary>Says that an endpoint takes resumable uploads, and how.</summary>
internal interface IResumableEndpointMetadata
{
    /// <summary>Changes the options for the endpoints that share this; null where they take the app's.</summary>
    Action<ResumableUploadOptions>? ConfigureOptions { get; }

    /// <summary>Gets the name of the options. Empty for the default options.</summary>
    string OptionsName { get; }

    /// <summary>The most bytes that an upload may have, or null for what the options say.</summary>
    long? MaxUploadSize { get; }
}

/// <summary>Made by <c>WithResumableUploads</c>, one for each call.</summary>
internal sealed class ResumableEndpointMetadata(Action<ResumableUploadOptions>? configure, string optionsName) : IResumableEndpointMetadata
{
    public const string MissingServicesMessage =
        "An endpoint takes resumable uploads, and their services are missing. Call builder.Services.AddResumableUploads() before the app is built.";

    public Action<ResumableUploadOptions>? ConfigureOptions => configure;

    public string OptionsName => optionsName;

    public long? MaxUploadSize => null;

    /// <summary>Fails where <c>AddResumableUploads</c> was not called.</summary>
    public static void ThrowIfServicesMissing(IServiceProvider services)
    {
        if (services.GetService<RegisteredOptions>() is null)
        {
            throw new InvalidOperationException(MissingServicesMessage);
        }
    }
}

/// <summary>
/// Makes an action, a controller, a page or a minimal API's handler take interrupted uploads: it sees one request with the whole body, however
/// often the line broke. The options are those of <c>AddResumableUploads()</c>, which has to be called.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class ResumableUploadAttribute : Attribute, IResumableEndpointMetadata, IFilterFactory
{
    /// <summary>The most bytes that an upload may have, or 0 for the option of that name. Default: 0.</summary>
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

    /// <summary>MVC asks for a filter when the action runs: the moment to say that a call is missing.</summary>
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
