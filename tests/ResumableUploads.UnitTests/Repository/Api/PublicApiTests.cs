using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.Extensions.Logging;
using ResumableUploads.AzureBlobs;
using ResumableUploads.Blazor;
using ResumableUploads.Client;
using ResumableUploads.Hosting.Management;
using ResumableUploads.S3;
using ResumableUploads.TestKit;
using ResumableUploads.UnitTests.Repository.Documents;

namespace ResumableUploads.UnitTests.Repository.Api;

public partial class PublicApiTests
{
    private static readonly Assembly Package = typeof(ResumableUploadOptions).Assembly;

    [Theory]
    [InlineData(typeof(ResumableUploadOptions))]
    [InlineData(typeof(ResumableUploadClient))]
    [InlineData(typeof(AzureBlobUploadStore))]
    [InlineData(typeof(S3UploadStore))]
    public void Public_classes_are_sealed_or_abstract(Type typeOfPackage)
    {
        Assert.DoesNotContain(typeOfPackage.Assembly.GetExportedTypes(), static type => type is { IsClass: true, IsSealed: false, IsAbstract: false });
    }

    [Theory]
    [InlineData(typeof(ResumableUploadOptions))]
    [InlineData(typeof(ResumableUploadClient))]
    public void Public_members_and_parameters_are_documented(Type typeOfPackage)
    {
        var docs = ApiDocumentation.Load(typeOfPackage.Assembly);
        var compilation = CSharpCompilation.Create("docs", references: [.. CSharpCompiler.References]);
        var package = (IAssemblySymbol)compilation.GetAssemblyOrModuleSymbol(compilation.References.First(
            reference => reference.Display == typeOfPackage.Assembly.Location))!;
        ISymbol[] members = [.. Types(package.GlobalNamespace).SelectMany(static type => type.GetMembers().Where(IsDeclared).Prepend(type))];

        Assert.True(members.Length > 60, $"Only {members.Length} members were found.");
        Assert.Empty(members.SelectMany(member => Missing(docs, member)));
    }

    [Fact]
    public void Log_messages_have_unique_event_ids()
    {
        int[] ids = [.. Package.GetTypes()
            .SelectMany(static type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Select(static method => method.GetCustomAttribute<LoggerMessageAttribute>())
            .OfType<LoggerMessageAttribute>()
            .Select(static message => message.EventId)];

        Assert.True(ids.Length > 20, $"Only {ids.Length} messages were found.");
        Assert.Equal(ids.Order(), ids.Distinct().Order());
    }

    /// <summary>The manager of uploads is named like the services of ASP.NET Core that list and change things, such as <c>UserManager</c>.</summary>
    [Fact]
    public void Types_have_no_vague_names()
    {
        string[] exceptions = [nameof(IUploadManager), nameof(UploadManager)];
        Assert.DoesNotContain(
            Package.GetTypes().Concat(typeof(ResumableUploadClient).Assembly.GetTypes()).Select(static type => type.Name).Except(exceptions),
            static name => Vague().IsMatch(name) && name[0] != '<');
        Assert.Matches(Vague(), "UploadHelper");
        Assert.DoesNotMatch(Vague(), "Utility");
    }

    /// <summary>A file can use several packages without qualified names.</summary>
    [Fact]
    public void Types_of_different_packages_have_different_names()
    {
        Type[] types = [.. new[] { Package, typeof(ResumableUploadClient).Assembly, typeof(ResumableUpload).Assembly, typeof(StoreContract).Assembly, typeof(AzureBlobUploadStore).Assembly, typeof(S3UploadStore).Assembly }.SelectMany(static assembly => assembly.GetExportedTypes())];

        Assert.Empty(types.GroupBy(static type => type.Name).Where(static group => group.Count() > 1).Select(static group => string.Join(", ", group)));
    }

    [GeneratedRegex("(Helpers?|Managers?|Utils?)(?![a-z])")]
    private static partial Regex Vague();

    private static IEnumerable<INamedTypeSymbol> Types(INamespaceOrTypeSymbol container) => container.GetMembers().SelectMany(static member => member switch
    {
        INamespaceSymbol inner => Types(inner),
        INamedTypeSymbol { DeclaredAccessibility: Accessibility.Public } type => Types(type).Prepend(type),
        _ => [],
    });

    /// <summary>Returns whether a member is visible and written in the source: no accessor, and no generated member of a record.</summary>
    private static bool IsDeclared(ISymbol member) =>
        member is not INamedTypeSymbol and not IMethodSymbol { MethodKind: MethodKind.PropertyGet or MethodKind.PropertySet or MethodKind.EventAdd or MethodKind.EventRemove }
        && member.DeclaredAccessibility is Accessibility.Public or Accessibility.Protected or Accessibility.ProtectedOrInternal
        && !member.GetAttributes().Any(static attribute => attribute.AttributeClass?.Name == "CompilerGeneratedAttribute")
        && member is not IMethodSymbol { MethodKind: MethodKind.Constructor, Parameters.Length: 0 }
        && !(member.ContainingType.TypeKind == TypeKind.Enum && member is IMethodSymbol or IFieldSymbol { Name: "value__" });

    private static IEnumerable<string> Missing(ApiDocumentation docs, ISymbol member)
    {
        string id = member.GetDocumentationCommentId()!;
        string type = (member.ContainingType ?? member).GetDocumentationCommentId()!;

        // The properties of a positional record are documented as parameters of its type.
        bool isPositional = docs.Parameters(type).Count > 0
            && (member is IPropertySymbol ? docs.Parameters(type).Contains(member.Name) : member is IMethodSymbol { MethodKind: MethodKind.Constructor });
        if (isPositional)
        {
            yield break;
        }

        if (!docs.IsDocumented(id))
        {
            yield return id;
        }
        else if (member is IMethodSymbol method && !docs.IsInherited(id) && method.MethodKind == MethodKind.Ordinary)
        {
            foreach (string name in method.Parameters.Select(static p => p.Name).Concat(method.TypeParameters.Select(static p => p.Name)))
            {
                if (!docs.Parameters(id).Contains(name))
                {
                    yield return $"{id}, parameter {name}";
                }
            }
        }
    }
}
