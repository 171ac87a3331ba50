namespace ResumableUploads.Hosting.Endpoints.Routing;

/// <summary>Endpoint metadata that marks an endpoint as resumable.</summary>
internal interface IResumableEndpointMetadata
{
    /// <summary>Gets a delegate that changes the options, or <see langword="null"/> if the endpoint uses <see cref="OptionsName"/> unchanged.</summary>
    Action<ResumableUploadOptions>? ConfigureOptions { get; }

    /// <summary>Gets the name of the options. Empty for the default options.</summary>
    string OptionsName { get; }

    /// <summary>Gets the maximum size of an upload, in bytes, or <see langword="null"/> for the limit of the options.</summary>
    long? MaxUploadSize { get; }
}
