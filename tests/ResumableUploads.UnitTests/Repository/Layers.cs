using System.Runtime.CompilerServices;

namespace ResumableUploads.UnitTests.Repository;

/// <summary>The one way through the package: Hosting -> Protocols -> Engine -> Abstractions &lt;- Stores.</summary>
internal static class Layers
{
    private const string Web = "Microsoft.AspNetCore.";

    /// <summary>What each layer may name of the package, and which namespaces outside of it it may not.</summary>
    private static readonly Dictionary<string, (string[] MayName, string[] MayNotName)> Rules = new()
    {
        ["Hosting"] = (["Hosting", "Protocols", "Engine", "Abstractions", "Stores", "Infrastructure"], []),
        ["Protocols"] = (["Protocols", "Engine", "Abstractions"], []),
        ["Engine"] = (["Engine", "Abstractions", "Infrastructure"], [Web]),
        ["Stores"] = (["Stores", "Abstractions", "Infrastructure"], [Web]),
        ["Abstractions"] = (["Abstractions"], [Web]),
        ["Infrastructure"] = (["Infrastructure"], [Web]),
    };

    /// <summary>Where app authors look for extension methods.</summary>
    private static readonly string[] HostingNamespaces =
    [
        "ResumableUploads",
        "Microsoft.AspNetCore.Builder",
        "Microsoft.AspNetCore.Hosting",
        "Microsoft.Extensions.DependencyInjection",
    ];

    /// <summary>The layer of a type of the package, or null for what the compiler and its generators have put there.</summary>
    public static string? Of(Type type)
    {
        while (type.DeclaringType is { } outer)
        {
            type = outer;
        }

        string name = type.Namespace ?? "";
        if (type.Assembly != typeof(ResumableUploadOptions).Assembly || type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false) || IsGenerated(name))
        {
            return null;
        }

        string[] parts = name.Split('.');
        return HostingNamespaces.Contains(name) ? "Hosting"
            : parts is ["ResumableUploads", var layer, ..] && Rules.ContainsKey(layer) ? layer
            : throw new InvalidOperationException($"{type} is in no layer.");
    }

    /// <summary>Each type of a set that names what its layer may not.</summary>
    public static IEnumerable<string> Violations(IEnumerable<Type> types, Func<Type, string?> layerOf)
    {
        foreach (Type type in types)
        {
            if (layerOf(type) is not { } layer)
            {
                continue;
            }

            (string[] mayName, string[] mayNotName) = Rules[layer];
            foreach (Type named in TypeReferences.Of(type))
            {
                string name = named.FullName ?? named.Name;
                if ((layerOf(named) is { } other && !mayName.Contains(other))
                    || (layerOf(named) is null && mayNotName.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))))
                {
                    yield return $"{layer}: {type} names {name}";
                }
            }
        }
    }

    private static bool IsGenerated(string name) => name.Length == 0
        || name.StartsWith("System.", StringComparison.Ordinal)
        || name is "Microsoft.CodeAnalysis" or "Microsoft.Extensions.Configuration.Binder.SourceGeneration";
}
