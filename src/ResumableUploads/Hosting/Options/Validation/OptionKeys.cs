using System.Diagnostics.CodeAnalysis;

namespace ResumableUploads.Hosting.Options.Validation;

/// <summary>The configuration keys of <see cref="ResumableUploadOptions"/>.</summary>
internal static class OptionKeys
{
    /// <summary>The configuration section of the default options.</summary>
    public const string Section = "ResumableUploads";

    /// <summary>The section, in <see cref="Section"/>, whose children are the sections of named options.</summary>
    public const string Endpoints = "Endpoints";

    /// <summary>The options that are lists: their children are indexes.</summary>
    private static readonly string[] Lists = [nameof(ResumableUploadHandlerOptions.StoredHeaders), nameof(ResumableUploadOptions.VolatileQueryParameters)];

    /// <summary>The keys of each group, and those of the top level under the empty name.</summary>
    public static IReadOnlyDictionary<string, string[]> Groups { get; } = new Dictionary<string, string[]>(StringComparer.OrdinalIgnoreCase)
    {
        [""] = Of(typeof(ResumableUploadOptions)),
        [nameof(ResumableUploadOptions.Limits)] = Of(typeof(ResumableUploadLimits)),
        [nameof(ResumableUploadOptions.Timeouts)] = Of(typeof(ResumableUploadTimeouts)),
        [nameof(ResumableUploadOptions.Handler)] = Of(typeof(ResumableUploadHandlerOptions)),
        [nameof(ResumableUploadOptions.FileId)] = Of(typeof(ResumableUploadFileIdOptions)),
        [nameof(ResumableUploadOptions.Tus)] = Of(typeof(ResumableUploadTusOptions)),
        [nameof(ResumableUploadOptions.Ietf)] = Of(typeof(ResumableUploadIetfOptions)),
        [nameof(ResumableUploadOptions.FileSystem)] = Of(typeof(ResumableUploadFileSystemOptions)),
    };

    /// <summary>All keys, relative to the section of the options: <c>MaxUploadSize</c>, <c>Limits:MinDataRate</c>.</summary>
    public static IReadOnlyList<string> All { get; } =
        [.. Groups.SelectMany(static group => group.Value.Select(key => group.Key.Length == 0 ? key : $"{group.Key}:{key}"))];

    /// <summary>Returns the configuration section of the options with a name.</summary>
    public static string SectionOf(string name) => name.Length == 0 ? Section : $"{Section}:{Endpoints}:{name}";

    public static bool IsList(string key) => Lists.Contains(key, StringComparer.OrdinalIgnoreCase);

    /// <summary>Returns the key that an unknown one was probably meant to be. Its own group, and a key that only moved to a group, come first.</summary>
    public static string Nearest(string unknown)
    {
        (string group, string name) = Split(unknown);
        return All.Concat(Groups.Keys.Where(static key => key.Length > 0)).MinBy(key =>
        {
            (string otherGroup, string otherName) = Split(key);
            return (NearestName.Distance(name, otherName), NearestName.Distance(group, otherGroup));
        })!;
    }

    private static (string Group, string Name) Split(string key) =>
        key.LastIndexOf(':') is var colon and >= 0 ? (key[..colon], key[(colon + 1)..]) : ("", key);

    /// <summary>Delegates and stores are set in code; groups have keys of their own.</summary>
    private static string[] Of([DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] Type type) =>
    [
        .. type.GetProperties()
            .Where(static property => !typeof(Delegate).IsAssignableFrom(property.PropertyType)
                && property.Name != nameof(ResumableUploadOptions.Store)
                && (property.SetMethod is not null || IsList(property.Name)))
            .Select(static property => property.Name),
    ];
}
