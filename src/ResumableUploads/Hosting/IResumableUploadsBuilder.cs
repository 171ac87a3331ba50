namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Configures the store and the events of one set of resumable upload options.</summary>
public interface IResumableUploadsBuilder
{
    /// <summary>Gets the services of the application.</summary>
    IServiceCollection Services { get; }

    /// <summary>Gets the name of the options that this builder configures. Empty for the default options.</summary>
    string Name { get; }
}
