using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Hosting.Options;

namespace ResumableUploads.Hosting.Endpoints.Routing;

/// <summary>The metadata that <c>WithResumableUploads</c> adds. Endpoints with the same instance share one engine.</summary>
internal sealed class ResumableEndpointMetadata(Action<ResumableUploadOptions>? configure, string optionsName) : IResumableEndpointMetadata
{
    private const string MissingServicesMessage =
        "The services for resumable endpoints are missing. Call builder.Services.AddResumableUploads() before the app is built.";

    public Action<ResumableUploadOptions>? ConfigureOptions => configure;

    public string OptionsName => optionsName;

    public long? MaxUploadSize => null;

    /// <exception cref="InvalidOperationException"><c>AddResumableUploads</c> was not called.</exception>
    public static void ThrowIfServicesMissing(IServiceProvider services)
    {
        if (services.GetService<RegisteredOptions>() is null)
        {
            throw new InvalidOperationException(MissingServicesMessage);
        }
    }
}
