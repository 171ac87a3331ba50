using System.Reflection;

namespace ResumableUploads.UnitTests.Hosting.Options;

/// <summary>The options and their groups, by configuration key: <c>MaxUploadSize</c>, <c>Limits:MinDataRate</c>.</summary>
internal static class OptionProperties
{
    /// <summary>Returns the key and the property of each option, in the order of their declaration.</summary>
    public static IEnumerable<(string Key, PropertyInfo Property)> All() => Of(typeof(ResumableUploadOptions), "");

    /// <summary>Returns the object that has the option, and its property.</summary>
    public static (object Owner, PropertyInfo Property) Find(ResumableUploadOptions options, string key)
    {
        object owner = options;
        string[] names = key.Split(':');
        foreach (string group in names[..^1])
        {
            owner = owner.GetType().GetProperty(group)!.GetValue(owner)!;
        }

        return (owner, owner.GetType().GetProperty(names[^1])!);
    }

    public static object? Get(ResumableUploadOptions options, string key)
    {
        (object owner, PropertyInfo property) = Find(options, key);
        return property.GetValue(owner);
    }

    public static bool IsGroup(PropertyInfo property) =>
        property.SetMethod is null && property.PropertyType.Assembly == typeof(ResumableUploadOptions).Assembly;

    private static IEnumerable<(string, PropertyInfo)> Of(Type type, string prefix) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).SelectMany(property =>
            IsGroup(property) ? Of(property.PropertyType, $"{prefix}{property.Name}:") : [($"{prefix}{property.Name}", property)]);
}
