using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ResumableUploads.Hosting.Options.Validation;

namespace ResumableUploads.Hosting.Options;

/// <summary>The names of the options that <c>AddResumableUploads()</c> was called for. Registered by its first call.</summary>
internal sealed class RegisteredOptions
{
    /// <summary>The name of the default options.</summary>
    public const string DefaultName = "";

    private readonly HashSet<string> _nameCounts = new(StringComparer.Ordinal);

    public IReadOnlyCollection<string> Names => _nameCounts;

    /// <summary>Adds a name. Returns false if it was added before.</summary>
    public bool Add(string name) => _nameCounts.Add(name);

    /// <summary>Creates a separate instance of the options with a name.</summary>
    /// <exception cref="InvalidOperationException">No options have that name.</exception>
    public ResumableUploadOptions Create(IServiceProvider services, string name) =>
        _nameCounts.Contains(name)
            ? services.GetRequiredService<IOptionsFactory<ResumableUploadOptions>>().Create(name)
            : throw new InvalidOperationException(Unknown(name));

    private string Unknown(string name)
    {
        string nearest = NearestName.Of(name, _nameCounts.Where(static one => one.Length > 0)) is { } one ? $" The nearest registered name is '{one}'." : "";
        return $"No resumable upload options are named '{name}'. Call builder.Services.AddResumableUploads(\"{name}\").{nearest}";
    }
}
